"""The roles and units on a real systemd: `make deploy-test` and `make deploy-test-long`."""
