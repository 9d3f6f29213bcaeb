"""Events into views: the fold of the log, and every question asked of it. Pure: no database."""
