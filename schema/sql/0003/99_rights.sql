-- The rights of the earlier steps, for the tables that came since. A file that adds a view or function for the portal
-- grants it there; a table of evidence is added to the list below, which holds those of the earlier steps too, because
-- the GRANT on all tables gives back what they had taken.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tracemark_staff;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO tracemark_staff;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO tracemark_staff;
REVOKE UPDATE, DELETE ON event, event_key, event_declared_wrong, audit, affected_set, affected_lot, affected_run, notice_line,
    case_version, acknowledgement, recall_reconciliation, recall_rules, recall_fact, replaced_code, label_delivery,
    capture_point, capture_reading FROM tracemark_staff;
