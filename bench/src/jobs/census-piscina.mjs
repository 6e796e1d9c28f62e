/** Census for a pool whose jobs take one value. */
import { analyseFile } from "../../../apps/demo/dist/file.jobs.js";

export default function analyse([path, options]) {
  return analyseFile(path, options);
}
