/** Ids are PostgreSQL integers. */
export const RECORD_ID_MAX = 2 ** 31 - 1;

const ID = /^[1-9]\d{0,9}$/;

/** True for the one spelling of an id that a record can have. */
export const isRecordId = (text: string): boolean => ID.test(text) && Number(text) <= RECORD_ID_MAX;

const ANY_ID = /^[1-9]\d{0,15}$/;

/** True for an id that some store may hold: an adopted record's may be beyond PostgreSQL's integers. */
export const isAdoptableId = (text: string): boolean =>
  ANY_ID.test(text) && Number.isSafeInteger(Number(text));
