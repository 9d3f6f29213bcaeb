-- Running upgrade ledger_0006 -> ledger_0007

DROP TRIGGER ledger_event_no_update;

CREATE TRIGGER ledger_event_no_update BEFORE UPDATE ON ledger_event BEGIN
      SELECT RAISE(ABORT, 'ledger_event is append-only: an event cannot be changed')
      WHERE NEW.rowid <> OLD.rowid OR NEW.log_id IS NOT OLD.log_id OR NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.type IS NOT OLD.type OR NEW.stream IS NOT OLD.stream OR NEW.stream_v IS NOT OLD.stream_v OR NEW.known_at IS NOT OLD.known_at OR NEW.entry IS NOT OLD.entry OR NEW.leaf_hash IS NOT OLD.leaf_hash OR (NEW.slot_who IS OLD.slot_who AND NEW.slot_what IS OLD.slot_what AND NEW.slot_words IS OLD.slot_words AND NEW.slot_by IS OLD.slot_by) OR NOT EXISTS (
        SELECT 1 FROM (
          SELECT CASE type WHEN 'content_erased' THEN CAST(substr(slot_what, 33) AS TEXT) END
            AS said FROM ledger_event WHERE log_id = OLD.log_id ORDER BY seq DESC LIMIT 1
        ) AS cause
        WHERE json_extract(cause.said, '$.target') = OLD.id AND (NEW.slot_who IS OLD.slot_who OR (NEW.slot_who IS NULL AND OLD.type <> 'content_erased' AND 'who' IN (SELECT value FROM json_each(cause.said, '$.slots')))) AND (NEW.slot_what IS OLD.slot_what OR (NEW.slot_what IS NULL AND OLD.type <> 'content_erased' AND 'what' IN (SELECT value FROM json_each(cause.said, '$.slots')))) AND (NEW.slot_words IS OLD.slot_words OR (NEW.slot_words IS NULL AND OLD.type <> 'content_erased' AND 'words' IN (SELECT value FROM json_each(cause.said, '$.slots')))) AND (NEW.slot_by IS OLD.slot_by OR (NEW.slot_by IS NULL AND 'by' IN (SELECT value FROM json_each(cause.said, '$.slots')))));
    END;

CREATE TRIGGER ledger_event_erases AFTER INSERT ON ledger_event WHEN NEW.type = 'content_erased' BEGIN
      UPDATE ledger_event SET slot_who = CASE WHEN 'who' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_who END, slot_what = CASE WHEN 'what' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_what END, slot_words = CASE WHEN 'words' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_words END, slot_by = CASE WHEN 'by' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_by END
      WHERE log_id = NEW.log_id AND seq < NEW.seq
        AND id = json_extract(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.target') AND ((slot_who IS NOT NULL AND 'who' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))) OR (slot_what IS NOT NULL AND 'what' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))) OR (slot_words IS NOT NULL AND 'words' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))) OR (slot_by IS NOT NULL AND 'by' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))));
    END;

UPDATE ledger_alembic_version SET version_num='ledger_0007' WHERE ledger_alembic_version.version_num = 'ledger_0006';

