/** What a message says of a session; `new` is its row. Never its script, output, metadata or variables. */
const SESSION = `'id', new.id, 'user_id', new.user, 'user_email', new.user, 'connection', new.connection,
  'connection_type', new.connection_type, 'verb', json_extract(new.request, '$.verb'),
  'origin', json_extract(new.request, '$.origin'),
  'runbook', substr(json_extract(new.request, '$.labels.runbookFile'), 1, 500),
  'schedule', json_extract(new.request, '$.labels.runbookSchedule'),
  'session_batch_id', substr(new.batch_id, 1, 255), 'correlation_id', new.correlation_id,
  'started_at', new.started_at, 'ended_at', new.ended_at, 'exit_code', new.exit_code,
  'review', (SELECT json_object('id', id, 'type', type, 'status', status, 'owner_email', owner)
             FROM reviews WHERE session = new.key)`
/** @param more other fields of the message's review */
const review = (
  more = '',
) => `'id', s.id, 'user_id', s.user, 'user_email', s.user, 'connection', s.connection,
  'connection_type', s.connection_type, 'verb', json_extract(s.request, '$.verb'),
  'origin', json_extract(s.request, '$.origin'),
  'runbook', substr(json_extract(s.request, '$.labels.runbookFile'), 1, 500),
  'schedule', json_extract(s.request, '$.labels.runbookSchedule'),
  'session_batch_id', substr(s.batch_id, 1, 255), 'correlation_id', s.correlation_id,
  'started_at', s.started_at,
  'review', json_object('id', new.id, 'type', new.type, 'status', new.status, 'owner_email', new.owner,
    'reason', substr(json_extract(new.record, '$.rejectionReason'), 1, 500),
    'groups', (SELECT json_group_array(json_object('group', json_extract(value, '$.group'),
                 'status', json_extract(value, '$.status'), 'reviewed_by', json_extract(value, '$.reviewedBy')))
               FROM json_each(new.record, '$.groups'))${more})`

/** A message for each webhook that wants the event, in the transaction of the event itself. */
const message = (event: string, at: string, facts: string, from = '') => `
  INSERT INTO webhook_messages (id, webhook, event, at, facts)
    SELECT 'msg_' || lower(hex(randomblob(16))), w.webhook, w.event, ${at}, json_object(${facts})
    FROM webhook_subscriptions w ${from}
    WHERE w.event = ${event} AND w.connection IN ('', ${from === '' ? 'new' : 's'}.connection);`
const NOW = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`
const OF_SESSION = 'JOIN sessions s ON s.key = new.session'

const triggers = (ofSession: string, ofReview: string) => `
  CREATE TRIGGER history.webhook_messages_of_sessions AFTER UPDATE OF status ON sessions
    WHEN old.status = 'open' AND new.status = 'done' AND NOT EXISTS (SELECT 1 FROM reviews
      WHERE session = new.key AND (status = 'REJECTED' OR (status = 'REVOKED' AND type = 'onetime')))
  BEGIN ${message(`CASE WHEN new.exit_code = 0 THEN 'session.finished' ELSE 'session.failed' END`, 'new.ended_at', ofSession)}
  END;
  CREATE TRIGGER history.webhook_messages_of_new_reviews AFTER INSERT ON reviews WHEN new.status = 'PENDING'
  BEGIN ${message(`'review.waiting'`, NOW, ofReview, OF_SESSION)}
  END;
  CREATE TRIGGER history.webhook_messages_of_decisions AFTER UPDATE OF status ON reviews
    WHEN new.status <> old.status AND new.status IN ('APPROVED', 'REJECTED', 'REVOKED')
  BEGIN ${message(`CASE new.status WHEN 'APPROVED' THEN 'review.approved' ELSE 'review.rejected' END`, NOW, ofReview, OF_SESSION)}
  END;`

/**
 * Messages that wait to be delivered (webhooks/webhook-rows.ts). Triggers write them, so that no end of the gateway loses
 * one. `webhook_subscriptions` has who wants which event, an empty connection for all: without a row, nothing is written.
 * A session that people have not approved has not run: its review says so, and its end says nothing more.
 */
export const VERSION_16 = `
  CREATE TABLE history.webhook_subscriptions (
    event TEXT NOT NULL,
    webhook TEXT NOT NULL,
    connection TEXT NOT NULL,
    PRIMARY KEY (event, webhook, connection)
  ) WITHOUT ROWID;
  CREATE TABLE history.webhook_messages (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    facts TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0,
    error TEXT
  );
  CREATE INDEX history.webhook_messages_due ON webhook_messages (webhook, due_at);
  CREATE TABLE history.webhook_states (
    name TEXT PRIMARY KEY,
    url_sha256 TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER,
    disabled_at INTEGER,
    error TEXT,
    error_at INTEGER
  ) WITHOUT ROWID;
${triggers(SESSION, review())}`

/** Connections of a batch, in the order in which they run; null where the review is for one session. */
const BATCH = `, 'batch', json(CASE WHEN json_type(new.record, '$.batch') = 'object' THEN json_object(
    'id', json_extract(new.record, '$.batch.id'),
    'connections', (SELECT json_group_array(c.value)
                    FROM json_each(new.record, '$.batch.waves') w, json_each(w.value) c)) END)`

/** `cause`: why a session has ended, and who has ended it, as JSON. Messages say it, and where a batch runs. */
export const VERSION_20 = `
  ALTER TABLE history.sessions ADD COLUMN cause TEXT;
  DROP TRIGGER history.webhook_messages_of_sessions;
  DROP TRIGGER history.webhook_messages_of_new_reviews;
  DROP TRIGGER history.webhook_messages_of_decisions;${triggers(`${SESSION}, 'cause', json(new.cause)`, review(BATCH))}`
