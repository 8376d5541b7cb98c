"""HTTP: one file a resource; handlers translate between requests and services, and decide nothing."""
