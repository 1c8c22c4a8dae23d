//! A database that must not be reached.

use claviger_control::objects::sql::{Row, Sql, SqlError, Statement};

pub struct NoSql;

impl Sql for NoSql {
    fn rows(&self, _: &Statement) -> Result<Vec<Row>, SqlError> {
        panic!("read")
    }

    fn apply(&self, _: &[Statement]) -> Result<(), SqlError> {
        panic!("written")
    }
}
