//! A Redis server.

use millstream_redis::Redis;

use super::Notes;
use crate::{RedisConnection, net::Net};

pub(super) fn connection(connection: &RedisConnection, net: &Net, notes: &mut Notes) {
    match net.wait(Redis::connect(connection.config())) {
        Ok(_) => notes.good("connection", format!("{} answers", connection.server)),
        Err(error) => notes.bad("connection", error.to_string()),
    }
}
