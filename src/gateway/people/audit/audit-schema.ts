/**
 * The audit log: `entry` is the text that `hash` is the hash of (audit/entry.ts). All that is searched comes out of that
 * text, so that nothing can be shown that is not in the chain. `audit_anchor` is the last entry that was removed.
 */
export const VERSION_15 = `
  CREATE TABLE history.audit_log (
    sequence INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,
    hash TEXT NOT NULL,
    actor TEXT AS (entry ->> '$.actor'),
    resource_type TEXT AS (entry ->> '$.resource_type'),
    action TEXT AS (entry ->> '$.action'),
    http_method TEXT AS (entry ->> '$.http_method'),
    http_path TEXT AS (entry ->> '$.http_path'),
    client_ip TEXT AS (entry ->> '$.client_ip'),
    http_status INTEGER AS (entry ->> '$.http_status'),
    outcome INTEGER AS (entry ->> '$.outcome'),
    created_at TEXT AS (entry ->> '$.created_at'),
    stage TEXT AS (entry ->> '$.stage'),
    asked INTEGER AS (entry ->> '$.asked')
  );
  CREATE INDEX history.audit_log_searched ON audit_log (actor, resource_type, action, http_method, http_path,
    client_ip, http_status, outcome, created_at, stage);
  CREATE INDEX history.audit_log_done ON audit_log (asked) WHERE asked IS NOT NULL;
  CREATE TABLE history.audit_anchor (key INTEGER PRIMARY KEY CHECK (key = 1), sequence INTEGER NOT NULL, hash TEXT NOT NULL);`
