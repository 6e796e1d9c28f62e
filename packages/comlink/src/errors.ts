/** The ends of calls that have no reply. Each call has an error of its own. */
import { NotCloneableError, ThreadCrashedError } from "@skein/pool";
import { ObjectDisposedError } from "@skein/scheduling";

/** What is known of the end of the other side. */
export interface Loss {
  /** Undefined: only that the port was closed. */
  readonly exitCode?: number | undefined;
  /** What ended the thread; undefined also when nothing was thrown. */
  readonly cause?: unknown;
}

/** For a call that was under way when the other side ended, or that came after that. */
export function callLost({ exitCode, cause }: Loss): ThreadCrashedError {
  const end =
    exitCode === undefined
      ? "The other end of the port is closed: its thread ended, or it was released there"
      : `The thread ended with code ${exitCode}`;
  const reason =
    cause !== undefined
      ? ". Look at `cause`"
      : exitCode === undefined
        ? ""
        : ", because something called `terminate()` or `process.exit()`";
  const message = `${end}${reason}. The call may have run, and has no result`;
  return new ThreadCrashedError(exitCode, { message, ...(cause !== undefined && { cause }) });
}

/** For a call of which one message did not get through. */
export function unread(): NotCloneableError {
  return new NotCloneableError(
    "message",
    "with the arguments or the result of this call could not be read where it arrived: it is nested too deeply for the stack there, or holds what does not exist there; flatten it, for example into an array with indices for links",
  );
}

export function released(): ObjectDisposedError {
  return new ObjectDisposedError("proxy");
}
