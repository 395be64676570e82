/**
 * Number of parts in which old rows are moved: the file grows by one part. The write-ahead log grows by all long
 * values, since a step is one transaction.
 */
const PARTS = 16

interface LongValues {
  readonly table: string
  /** Column of `table` with the key of the session. */
  readonly key: string
  readonly column: string
  /** The new table, with the columns `session` and `column`. */
  readonly to: string
  /** Values with more bytes are long. */
  readonly bytes: number
  /** SQL of what stays in the column. */
  readonly rest: string
}

/**
 * SQL of a step that makes a table for the long JSON texts of a column, and moves them there. A part of the rows
 * uses the pages of the part before it. A trigger could move each row by itself, but keeps all values in memory:
 * 380 MB for 300 rows of 1.3 MB, where these statements take 10 MB. Pages that become free are overwritten: a
 * row that moves leaves its other columns behind, too, such as a sealed request.
 */
export function tableOfLongValues({ table, key, column, to, bytes, rest }: LongValues): string {
  const parts = Array.from({ length: PARTS }, (_, part) => {
    const rows = `${key} IN (SELECT key FROM temp.long_values WHERE number % ${PARTS} = ${part})`
    return `INSERT INTO history.${to} SELECT ${key}, ${column} FROM history.${table} WHERE ${rows};
      UPDATE history.${table} SET ${column} = ${rest} WHERE ${rows};`
  })
  return `
    CREATE TABLE history.${to} (
      session INTEGER PRIMARY KEY REFERENCES sessions (key) ON DELETE CASCADE,
      ${column} TEXT NOT NULL
    );
    CREATE TRIGGER history.${to}_of_removed_sessions AFTER DELETE ON sessions BEGIN
      DELETE FROM ${to} WHERE session = old.key;
    END;
    PRAGMA secure_delete = ON;
    CREATE TEMP TABLE long_values (number INTEGER PRIMARY KEY, key INTEGER NOT NULL);
    INSERT INTO temp.long_values (key)
      SELECT ${key} FROM history.${table} WHERE octet_length(${column}) > ${bytes} AND json_valid(${column});
    ${parts.join('\n')}
    DROP TABLE temp.long_values;
    PRAGMA secure_delete = OFF;`
}
