/**
 * A process's connection to an embedded database, and what BullMQ takes for a pool of connections to Postgres.
 *
 * State      | CLOSED     | nobody has asked anything yet, or the database has ended                          | construction, lost
 *            | CONNECTING | its process is looked for, or started                                              | query
 *            | OPEN       | queries go out as they come                                                        | connected
 *            | ENDED      | final                                                                              | disconnect
 * Moves      lost       OPEN → CLOSED: what was asked and not answered rejects, as if the connection to a server had broken: it may have been done
 */
import { AsyncScope } from "@skein/context";
import { EventEmitter } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { connectionError, DatabasePool } from "./database-pool.ts";
import { startDatabase } from "./database-start.ts";
import { type Answer, frame, FrameReader, type Query } from "./database-frames.ts";
import { Promise } from "./native-promise.ts";

interface Rows {
  readonly rows: readonly unknown[];
  readonly rowCount: number;
}

/** Between two looks for a database that starts. */
const LOOK_MS = 50;

const DATABASE = "The embedded database";

export class DatabaseClient extends DatabasePool {
  readonly #folder: string;
  readonly #onError: (error: Error) => void;
  readonly #open = new Map<number, PromiseWithResolvers<Rows>>();
  readonly #leases = new Set<Lease>();
  #socket: Socket | null = null;
  #connecting: Promise<Socket> | null = null;
  #lastId = 0;

  constructor(folder: string, onError: (error: Error) => void) {
    super();
    this.#folder = folder;
    this.#onError = onError;
  }

  get isReady(): boolean {
    return this.#socket !== null;
  }

  /** As `query` of `pg`. */
  readonly query = async (text: string, params?: readonly unknown[]): Promise<Rows> => {
    const socket = this.#socket ?? (await this.#connected());
    const query: Query = { id: ++this.#lastId, text, params: params ?? null };
    const answer = Promise.withResolvers<Rows>();
    this.#open.set(query.id, answer);
    socket.write(frame(query));
    return await answer.promise;
  };

  /** As `connect` of a `pg.Pool`. There is one session; notifications reach everybody. */
  async connect(): Promise<Lease> {
    await (this.#socket ?? this.#connected());
    const lease = new Lease(this.query, () => this.#leases.delete(lease));
    this.#leases.add(lease);
    return lease;
  }

  protected disconnected(): void {
    if (this.#socket === null) return;
    this.#socket.destroy();
    this.#lost();
  }

  /** What it rejects with is not for ever: the next query tries again. */
  #connected(): Promise<Socket> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async #connect(): Promise<Socket> {
    const start = startDatabase(this.#folder);
    while (!this.isEnded) {
      const socket = await AsyncScope.root.run(() => tryConnect(start.address()));
      if (this.isEnded) socket?.destroy();
      else if (socket !== null) return this.#opened(socket);
      else {
        const failure = start.again();
        if (failure !== null) this.#onError(failure);
        await this.sleep(LOOK_MS);
      }
    }
    throw connectionError(DATABASE, "it is closed");
  }

  #opened(socket: Socket): Socket {
    this.#socket = socket;
    const frames = new FrameReader<Answer>();
    socket.on("data", (chunk) => {
      for (const answer of frames.read(chunk)) this.#take(answer);
    });
    socket.on("error", () => {}); // "close" follows.
    socket.on("close", () => {
      if (this.#socket === socket) this.#lost();
    });
    return socket;
  }

  #take(answer: Answer): void {
    if ("channel" in answer) {
      for (const lease of this.#leases) lease.emit("notification", answer);
      return;
    }
    const waiting = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if ("rows" in answer) waiting?.resolve(answer);
    else waiting?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
  }

  #lost(): void {
    this.#socket = null;
    const error = connectionError(DATABASE, "its process has ended, or this one has closed it");
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
    if (this.isEnded) return;
    this.#onError(error);
    for (const lease of Array.from(this.#leases)) lease.emit("error", error);
  }
}

/** As a `pg.PoolClient`. */
class Lease extends EventEmitter {
  readonly query: DatabaseClient["query"];
  readonly #released: () => void;

  constructor(query: DatabaseClient["query"], released: () => void) {
    super();
    this.query = query;
    this.#released = released;
    // Errors go to `onError` as well: they end nothing if nobody listens here.
    this.on("error", () => {});
  }

  release(): void {
    this.#released();
  }
}

async function tryConnect(address: string): Promise<Socket | null> {
  const socket = connectSocket(address);
  return await new Promise((resolve) => {
    socket.once("connect", () => {
      socket.removeAllListeners();
      resolve(socket);
    });
    socket.once("error", () => resolve(null));
  });
}
