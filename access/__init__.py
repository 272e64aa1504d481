"""Who may do what, and who did it: accounts, sessions, keys, rights, the audit trail and repeated requests."""
