"""HTTP: one module for each resource. Handlers translate between requests and services; they decide nothing."""
