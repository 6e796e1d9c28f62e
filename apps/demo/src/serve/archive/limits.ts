/** How large an archive may be, packed and unpacked. */
export interface ArchiveLimits {
  /** Of the body. */
  readonly packedBytes: number;
  /** Of all its files together. */
  readonly unpackedBytes: number;
  /** Unpacked bytes for each packed one, as soon as `ratioFromBytes` are unpacked. Source text has about 5, a bomb 1000 and more. */
  readonly ratio: number;
  readonly ratioFromBytes: number;
  /** Files and directories. */
  readonly entries: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  packedBytes: 200_000_000,
  unpackedBytes: 1_000_000_000,
  ratio: 100,
  ratioFromBytes: 1_000_000,
  entries: 100_000,
};
