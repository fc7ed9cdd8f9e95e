"""SQL: knows neither Discord nor HTTP."""
