/**
 * Imports what needs the module of SQLite, without its warning: before Node 26 it announces itself as experimental, which is nothing that whoever
 * runs a census has to know.
 */
export async function importQuietly<M>(load: () => Promise<M>): Promise<M> {
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
