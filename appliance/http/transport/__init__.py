"""Connections and what arrives on them: limits, deadlines, checks of request heads, and parsers of bodies."""
