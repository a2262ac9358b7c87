"""The only room with SQL: the database, its schema, and every read and write of its tables."""
