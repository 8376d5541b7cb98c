"""Several server processes on one machine: `appliance serve --processes N`."""
