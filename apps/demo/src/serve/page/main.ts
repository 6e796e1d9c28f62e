/** The page of `census serve`: puts its parts together, and brings what the server says to where it is shown. */
import { Address } from "./address.ts";
import { Announcer } from "./announcer.ts";
import { request } from "./client.ts";
import { DevtoolsWindow } from "./devtools-window.ts";
import { type Connection, openFeed } from "./feed.ts";
import { LoopStrip } from "./loop-strip.ts";
import { Lookup } from "./lookup.ts";
import { make, setText } from "./make.ts";
import { NewScan } from "./new-scan.ts";
import { Result } from "./result.ts";
import { ScanList } from "./scan-list.ts";
import { isUnderWay, nameOf, stateOf } from "./scan-words.ts";
import { SettingsPanel } from "./settings-panel.ts";
import type { Scan, Settings } from "./wire.ts";

const NOTICE: Readonly<Record<Connection, string>> = {
  connecting: "Connecting",
  live: "Live",
  lost: "The server is gone. Trying again",
};

const status = make("p", { className: "status", role: "status" }, NOTICE.connecting);
const announcer = new Announcer();
const address = new Address(() => show());
const devtools = new DevtoolsWindow((isWanted) => address.go({ devtools: isWanted ? "beside" : "" }));
const strip = new LoopStrip();
const settings = new SettingsPanel(changeSettings);
const list = new ScanList((scan) => address.go({ scan, page: 1 }));
const start = new NewScan((scan) => {
  address.go({ scan: scan.id, text: "", package: "", page: 1 });
});
const lookup = new Lookup({
  search: (id) => address.go({ id }),
  choose: (scan) => address.go({ scan, page: 1 }),
});
const result = new Result((part, isTyping) => address.go(part, isTyping));

document
  .querySelector("#app")!
  .append(
    make(
      "header",
      {},
      make("div", { className: "line" }, make("h1", {}, "Census"), status),
      make("div", { className: "line" }, lookup.form, devtools.button, devtools.link),
    ),
    make(
      "main",
      {},
      lookup.node,
      make(
        "div",
        { className: "top" },
        make("div", { className: "stack" }, start.node, list.node),
        make("div", { className: "stack" }, strip.node, settings.node),
      ),
      result.node,
      announcer.node,
    ),
    devtools.node,
  );

openFeed({
  changed(connection) {
    setText(status, NOTICE[connection]);
    status.dataset["connection"] = connection;
    if (connection === "live") void catchUp();
    if (connection === "lost") strip.gap();
  },
  scan: changeScan,
  deleted: ({ id }) => removeScan(id),
  settings: changeSettings,
  loop({ columns }) {
    // By now it has told of all scans.
    list.dropStale();
    strip.add(columns);
  },
  threads: (threads) => strip.showThreads(threads),
});
show();

function show(): void {
  const { place } = address;
  list.choose(place.scan);
  devtools.show(place.devtools === "beside");
  void result.open(place, list.get(place.scan));
  void lookup.show(place.id);
}

function changeSettings(now: Settings): void {
  settings.show(now);
  strip.mark(now);
}

function changeScan(scan: Scan): void {
  const before = list.get(scan.id);
  list.show(scan);
  void result.update(scan);
  if (before !== undefined && before.state !== scan.state) announcer.say(`${nameOf(scan)}: ${stateOf(scan)}`);
  else if (isUnderWay(scan))
    announcer.sayProgress(`${nameOf(scan)}: ${scan.files.done} of ${scan.files.total} files`);
}

function removeScan(id: string): void {
  list.remove(id);
  if (address.place.scan === id) address.go({ scan: "" });
}

/** Reads again what may have changed without a connection; scans and settings come by themselves. */
async function catchUp(): Promise<void> {
  list.expectAll();
  show();
  void lookup.again();
  try {
    devtools.found((await request<{ url: string }>("GET", "/api/devtools")).url);
  } catch {
    devtools.found(null);
  }
}
