/** Tests of Piscina, by file and title, with the reason why they are not expected to pass here. */
type Reasons = Readonly<Record<string, Readonly<Record<string, string>>>>;

const balancer = "It gives a `loadBalancer`, which is refused: threads take their tasks themselves.";

/** They fail. */
export const knownDifferences: Reasons = {
  histogram: {
    "workers has histogram": balancer,
    "workers does not have histogram if disabled": balancer,
  },
  "load-with-esm": {
    "Piscina is default export":
      "tsx, which runs these tests, makes CommonJS of an ES module that is required: a second copy. Without it there is one: test/require.test.ts.",
    "Exports match own property names":
      'The package is an ES module and has one export more, "module.exports", by which `require` returns the class.',
  },
  pool: { "workerCreate/workerDestroy should be emitted while managing worker lifecycle": balancer },
  workers: { "workers are marked as destroyed if destroyed": balancer },
};

/** They pass or fail, as it happens. */
export const varying: Reasons = {
  "idle-timeout": {
    "idle timeout will let go of threads early":
      "A thread must have left 50 ms after its `idleTimeout`. It leaves by itself, which takes longer on a loaded machine.",
    "idle timeout will not let go of threads if Infinity is used as the value":
      "It expects that the same threads take equal tasks in the same order. Whichever is quicker takes the next.",
  },
};
