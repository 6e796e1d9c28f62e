import type * as all from "./dist/index.js" with { "resolution-mode": "import" };

declare const Piscina: typeof all.Piscina;
// oxlint-disable-next-line typescript/no-explicit-any -- the defaults of Piscina's own declarations
type Piscina<T = any, R = any> = all.Piscina<T, R>;
export = Piscina;
