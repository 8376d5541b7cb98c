"""What several parts need and none owns: concurrency, memory of failures, durable files, threads."""
