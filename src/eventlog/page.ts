// How much of the log is read at once: by the number of events, and by the bytes of their bodies.

/** Events at once. */
export const PAGE_EVENTS = 1_000
/** Bytes of bodies at once. */
export const PAGE_BYTES = 2 ** 19

// About how many bytes a column has, without reading it. A compressed one may be compressed a hundred times; nobody knows.
const weight = (column: string) =>
  `coalesce(pg_column_size(${column}) * case when pg_column_compression(${column}) is null then 1 else 8 end, 0)`

/**
 * The SQL that selects columns of as many of some events as fit some bytes, and of one at least. The other events are neither
 * written out nor read. Otherwise a page of long events would cost as much as a whole page, for its few events. `bytes` is a
 * parameter, such as `$4`.
 */
export function withinBytes(columns: string, events: string, bytes: string): string {
  return `select ${columns} from (
    select page.*, sum(${weight('data')} + ${weight('citations')})
      over (rows between unbounded preceding and 1 preceding) as bytes_before
    from (${events}) page) measured
  where coalesce(bytes_before, 0) < ${bytes}`
}
