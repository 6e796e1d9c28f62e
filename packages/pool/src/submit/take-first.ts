/** The first entry of a list that has one. Of one alone without `shift`, which V8 calls like a function of the system. */
export function takeFirst<T>(list: T[]): T {
  return (list.length === 1 ? list.pop() : list.shift())!;
}
