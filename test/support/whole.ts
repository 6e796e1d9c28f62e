/**
 * `pnpm test:whole` runs every row of the tables of which `pnpm test` takes some: those that are costly, and differ in what others have
 * made, not in code of ours. A row is in `pnpm test` as soon as no other there runs the same lines of ours.
 */
export const whole: boolean = process.env["SKEIN_TEST_WHOLE"] === "1";
