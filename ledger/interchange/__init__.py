"""Other formats: one file each. Importing one brings in what it needs and nothing else."""
