-- A portal reads of findings what changed since its last look (public_watermark), and links only when a link changed: a
-- day of copied codes must not make every process read 200,000 findings and all links once for each.
ALTER TABLE shelf ADD COLUMN links bigint NOT NULL DEFAULT 1;
CREATE FUNCTION next_link_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    UPDATE shelf SET version = version + 1, links = links + 1;
    RETURN NULL;
END $$;
DROP TRIGGER resolver_link_changes ON resolver_link;
CREATE TRIGGER resolver_link_changes AFTER INSERT OR UPDATE OR DELETE ON resolver_link
    FOR EACH STATEMENT EXECUTE FUNCTION next_link_version();
DROP TRIGGER link_host_changes ON link_host;
CREATE TRIGGER link_host_changes AFTER UPDATE OR DELETE ON link_host
    FOR EACH STATEMENT EXECUTE FUNCTION next_link_version();

ALTER TABLE unusual_finding ADD COLUMN changed_in bigint NOT NULL DEFAULT 0;
ALTER TABLE unusual_finding ALTER COLUMN changed_in SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX unusual_finding_changed_in ON unusual_finding (changed_in);
-- Not for told_at: that the brand was written to changes nothing that a shopper is told.
CREATE TRIGGER unusual_finding_mark_changed BEFORE UPDATE OF cleared_at ON unusual_finding
    FOR EACH ROW EXECUTE FUNCTION mark_changed();
DROP TRIGGER unusual_finding_changes ON unusual_finding;
CREATE TRIGGER unusual_finding_changes AFTER INSERT OR UPDATE OF cleared_at OR DELETE ON unusual_finding
    FOR EACH STATEMENT EXECUTE FUNCTION next_shelf_version();

CREATE OR REPLACE VIEW public_shelf AS SELECT version, links FROM shelf;
-- The items whose findings changed, also those that were cleared; what stands now is in public_unusual.
CREATE VIEW public_unusual_change AS SELECT number, changed_in FROM unusual_finding WHERE effect = 'verdict';
GRANT SELECT ON public_unusual_change TO tracemark_portal;
