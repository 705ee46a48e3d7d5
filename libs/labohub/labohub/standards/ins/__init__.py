"""The Identité Nationale de Santé: matricules, traits, dates, the search plan and the INSi wire form. Pure."""
