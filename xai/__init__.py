"""Why a classifier sees what it sees: attributions, the gate, overlays. No Qt."""
