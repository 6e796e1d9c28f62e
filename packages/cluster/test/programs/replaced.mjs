/** Another library's Promise, and a simulated browser's URL, in the place of the global ones: neither has what is new. */
import { Cluster } from "@skein/cluster";

const NativeURL = URL;
globalThis.Promise = function () {};
globalThis.URL = class {
  protocol = "redis:";
  constructor(address) {
    this.href = new NativeURL(address).href;
  }
};
await new Cluster({ connection: new URL(process.argv[2]) }).close();
console.log("over");
