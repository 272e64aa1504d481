-- Least rights. tracemark_owner owns everything; tracemark_staff works; tracemark_portal sees published views only.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tracemark_staff, tracemark_portal;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tracemark_staff;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO tracemark_staff;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO tracemark_staff;
-- Evidence is appended, never rewritten, not even by staff.
REVOKE UPDATE, DELETE ON event, event_key, event_declared_wrong, audit, affected_set, affected_lot, affected_run, notice_line,
    case_version FROM tracemark_staff;

GRANT SELECT ON public_revision, public_product, public_lot, public_place, public_location, public_number_block, public_code_key,
    public_foreign_serial, public_code_run, public_void_code, public_recall, public_recall_scope TO tracemark_portal;
GRANT EXECUTE ON FUNCTION public_watermark, public_unit_contents, public_unit_exists, public_count_checks, public_log_scans,
    public_read_checks, public_history TO tracemark_portal;
