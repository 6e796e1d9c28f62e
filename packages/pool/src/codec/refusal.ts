/** Thrown to stop an encoding; whoever catches it finds the path, and makes an error of both. */
export class Refusal {
  /** Why, and what to do instead: the end of a sentence that begins with the path of the value. */
  readonly problem: string;
  /** What is refused, when it is an object: the search for its path need not ask it again. */
  readonly object: object | undefined;

  constructor(problem: string, object?: object) {
    this.problem = problem;
    this.object = object;
  }
}

export const aDetachedBuffer = "is a detached ArrayBuffer: it was transferred before";
export const aLostView = "lies beyond the end of its ArrayBuffer, which was resized; make another view";
export const aPromise = "is a promise; await it before you pass it";
export const aRevokedProxy = "is a Proxy that has been revoked; copy what it stood for while it is good";
export const aThenable = "is a thenable, as tasks and promises are; await it before you pass it";
