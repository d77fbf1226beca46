"""Tables of recorded readings from CSV and Parquet files, as typed columns."""
