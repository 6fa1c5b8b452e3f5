//! The emulator as a program, for a publisher in any programming language.

use clap::Parser;
use emulator::{Emulator, Settings};
use std::error::Error;

/// Microsoft's side of the SaaS fulfillment APIs v2 on this machine: marketplace, Entra and
/// webhooks.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// The publisher's landing page.
    #[arg(long)]
    landing_url: Option<String>,
    /// The publisher's connection webhook.
    #[arg(long)]
    webhook_url: Option<String>,
    /// The publisher's management API. The web page shows its records beside Microsoft's.
    #[arg(long)]
    publisher_url: Option<String>,
    /// The publisher's tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// The publisher's application for API calls.
    #[arg(long)]
    client_id: Option<String>,
    /// The application's secret.
    #[arg(long)]
    client_secret: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut settings = Settings {
        port: arguments.port,
        landing_url: arguments.landing_url,
        webhook_url: arguments.webhook_url,
        publisher_url: arguments.publisher_url,
        live: true,
        // The publisher may have kept its records, so each run needs other ids.
        seed: jiff::Timestamp::now().as_nanosecond() as u64,
        ..Settings::default()
    };
    for (chosen, setting) in [
        (arguments.tenant, &mut settings.tenant_id),
        (arguments.client_id, &mut settings.client_id),
        (arguments.client_secret, &mut settings.client_secret),
    ] {
        if let Some(chosen) = chosen {
            *setting = chosen;
        }
    }
    let known = settings.clone();
    let emulator = Emulator::start(settings).await?;
    emulator.run_deliveries();
    println!("Web page         {}/", emulator.url());
    println!("Marketplace      {}", emulator.marketplace_url());
    println!("Entra            {}", emulator.entra_authority());
    println!("Tenant           {}", known.tenant_id);
    println!("Client id        {}", known.client_id);
    println!("Landing client   {}", known.landing_client_id);
    println!("Console client   {}", known.console_client_id);
    println!("Webhooks go to   {}", known.webhook_url.as_deref().unwrap_or("(set --webhook-url)"));
    tokio::signal::ctrl_c().await?;
    emulator.shutdown();
    Ok(())
}
