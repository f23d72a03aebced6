"""PostgreSQL below the session: pooled connections and what its errors mean. The session is in `lessonadmin.db`."""
