"""Load generators: each sends requests the way one kind of client does, and notes what came back."""
