//! The task of one flow: a channel after the other, as long as the flow lasts and its deliveries
//! are not settled.

use std::sync::Arc;

use millstream::Error;
use tokio::time::sleep;

use super::{channel::Consuming, outlet::Outlet};
use crate::{ConsumeConfig, connection::Broker, error::is_final, link::AGAIN};

pub(super) async fn drive(broker: Arc<Broker>, config: Arc<ConsumeConfig>, outlet: Arc<Outlet>) {
    if let Err(error) = consume(&broker, &config, &outlet).await {
        outlet.fail(error);
    }
    outlet.close();
}

async fn consume(
    broker: &Broker,
    config: &ConsumeConfig,
    outlet: &Arc<Outlet>,
) -> Result<(), Error> {
    let mut delays = AGAIN.delays();
    loop {
        let number = outlet.begin();
        // Nothing has come by this channel, and so nothing is to be settled.
        if outlet.wait_for_demand().await {
            return Ok(());
        }
        let opening = Consuming::open(broker, config, outlet, number).await;
        let error = match opening {
            Err(error) => error,
            Ok(mut consuming) => {
                let result = consuming.run().await;
                if consuming.has_delivered() {
                    delays = AGAIN.delays();
                }
                match result {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                }
            }
        };
        if is_final(&error) {
            return Err(error);
        }
        // The broker has what was not settled: it delivers that again.
        sleep(delays.next().unwrap_or_default()).await;
    }
}
