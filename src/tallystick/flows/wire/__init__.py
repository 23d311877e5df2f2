"""Wire JSON of resources that several rooms make up, always for sets. Changes nothing."""
