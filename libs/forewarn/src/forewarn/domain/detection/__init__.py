"""Twin and anomaly detection for tables of any tags: the core of the offline tools."""
