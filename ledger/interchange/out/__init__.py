"""A ledger into files: one file a format. Importing one brings in what it needs, nothing else."""
