/** Why a request is refused: a code for programs, a sentence for people, and the status of the answer. */

const STATUS = {
  ERR_CENSUS_REQUEST: 400,
  ERR_CENSUS_PATH: 400,
  ERR_CENSUS_FORBIDDEN: 403,
  ERR_CENSUS_NOT_FOUND: 404,
  ERR_CENSUS_STATE: 409,
  ERR_CENSUS_TOO_LARGE: 413,
  ERR_CENSUS_ARCHIVE_TYPE: 415,
  ERR_CENSUS_ARCHIVE_BOMB: 422,
  ERR_CENSUS_ARCHIVE_BROKEN: 422,
  ERR_CENSUS_ARCHIVE_EMPTY: 422,
  ERR_CENSUS_ARCHIVE_ENCRYPTED: 422,
  ERR_CENSUS_ARCHIVE_LINK: 422,
  ERR_CENSUS_ARCHIVE_PATH: 422,
  ERR_CENSUS_INTERNAL: 500,
  ERR_CENSUS_BUSY: 503,
  ERR_CENSUS_CLOSING: 503,
  ERR_CENSUS_STORAGE: 507,
} as const;

export type CensusErrorCode = keyof typeof STATUS;

export class CensusError extends Error {
  override readonly name = "CensusError";
  readonly code: CensusErrorCode;

  constructor(code: CensusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get status(): number {
    return STATUS[this.code];
  }
}
