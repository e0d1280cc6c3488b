"""The parts of bench/compare: who is measured (targets), with what (works, texts), how (measure), and what is told of it
(results, report, chart). Standard library only."""
