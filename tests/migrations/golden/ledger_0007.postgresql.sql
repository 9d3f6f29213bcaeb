BEGIN;

-- Running upgrade ledger_0006 -> ledger_0007

CREATE FUNCTION ledger_check_erased() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET search_path FROM CURRENT AS $$
    DECLARE
      said jsonb;
    BEGIN
      SELECT convert_from(substr(e.slot_what, 33), 'UTF8')::jsonb INTO said FROM ledger_event AS e
      WHERE e.log_id = OLD.log_id AND e.type = 'content_erased'
        AND e.seq = nullif(current_setting('claimledger.erasing', true), '')::bigint;
      IF NEW.log_id IS DISTINCT FROM OLD.log_id OR NEW.seq IS DISTINCT FROM OLD.seq OR NEW.id IS DISTINCT FROM OLD.id OR NEW.type IS DISTINCT FROM OLD.type OR NEW.stream IS DISTINCT FROM OLD.stream OR NEW.stream_v IS DISTINCT FROM OLD.stream_v OR NEW.known_at IS DISTINCT FROM OLD.known_at OR NEW.entry IS DISTINCT FROM OLD.entry OR NEW.leaf_hash IS DISTINCT FROM OLD.leaf_hash OR (NEW.slot_who IS NOT DISTINCT FROM OLD.slot_who AND NEW.slot_what IS NOT DISTINCT FROM OLD.slot_what AND NEW.slot_words IS NOT DISTINCT FROM OLD.slot_words AND NEW.slot_by IS NOT DISTINCT FROM OLD.slot_by) OR (said->>'target' = OLD.id AND (NEW.slot_who IS NOT DISTINCT FROM OLD.slot_who OR (NEW.slot_who IS NULL AND OLD.type <> 'content_erased' AND said->'slots' @> '"who"')) AND (NEW.slot_what IS NOT DISTINCT FROM OLD.slot_what OR (NEW.slot_what IS NULL AND OLD.type <> 'content_erased' AND said->'slots' @> '"what"')) AND (NEW.slot_words IS NOT DISTINCT FROM OLD.slot_words OR (NEW.slot_words IS NULL AND OLD.type <> 'content_erased' AND said->'slots' @> '"words"')) AND (NEW.slot_by IS NOT DISTINCT FROM OLD.slot_by OR (NEW.slot_by IS NULL AND said->'slots' @> '"by"'))) IS NOT TRUE THEN
        RAISE EXCEPTION '% is append-only: an event cannot be changed', TG_TABLE_NAME
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$;

CREATE FUNCTION ledger_erase() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_seqscan = off SET search_path FROM CURRENT AS $$
    DECLARE
      said CONSTANT jsonb := convert_from(substr(NEW.slot_what, 33), 'UTF8')::jsonb;
    BEGIN
      PERFORM set_config('claimledger.erasing', NEW.seq::text, true);
      UPDATE ledger_event SET slot_who = CASE WHEN said->'slots' @> '"who"' THEN NULL ELSE slot_who END, slot_what = CASE WHEN said->'slots' @> '"what"' THEN NULL ELSE slot_what END, slot_words = CASE WHEN said->'slots' @> '"words"' THEN NULL ELSE slot_words END, slot_by = CASE WHEN said->'slots' @> '"by"' THEN NULL ELSE slot_by END
      WHERE log_id = NEW.log_id AND seq < NEW.seq AND id = said->>'target' AND ((slot_who IS NOT NULL AND said->'slots' @> '"who"') OR (slot_what IS NOT NULL AND said->'slots' @> '"what"') OR (slot_words IS NOT NULL AND said->'slots' @> '"words"') OR (slot_by IS NOT NULL AND said->'slots' @> '"by"'));
      PERFORM set_config('claimledger.erasing', '', true);
      RETURN NULL;
    END $$;

REVOKE ALL ON FUNCTION ledger_erase() FROM PUBLIC;

DO $$ DECLARE
      home text;
    BEGIN
      SELECT relnamespace::regnamespace INTO home FROM pg_class WHERE oid = 'ledger_event'::regclass;
      EXECUTE format('ALTER FUNCTION ledger_check_erased() SET search_path = %s, pg_temp', home);
      EXECUTE format('ALTER FUNCTION ledger_erase() SET search_path = %s, pg_temp', home);
    END $$;

DROP TRIGGER ledger_event_no_update ON ledger_event;

CREATE TRIGGER ledger_event_no_update BEFORE UPDATE ON ledger_event FOR EACH ROW EXECUTE FUNCTION ledger_check_erased();

ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_no_update;

CREATE TRIGGER ledger_event_erases AFTER INSERT ON ledger_event FOR EACH ROW WHEN ((new.type = 'content_erased'::text)) EXECUTE FUNCTION ledger_erase();

ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_erases;

UPDATE ledger_alembic_version SET version_num='ledger_0007' WHERE ledger_alembic_version.version_num = 'ledger_0006';

COMMIT;

