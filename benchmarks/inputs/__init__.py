"""What benchmarks work on: photographs that no cache can know, and catalogues of millions of rows."""
