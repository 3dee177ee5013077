"""Help: tour, glossary, shortcuts, diagnostics, what went wrong."""
