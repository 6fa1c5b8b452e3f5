//! The alarms of CloudWatch that ring: one of its calls, in its Query protocol. Its SDK would make the
//! function larger and its start slower.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HOST};
use jiff::Timestamp;
use thiserror::Error;
use url::{Url, form_urlencoded};

use super::aws_signature::sign_request;
use super::http_client::Transport;

/// How long the call may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An alarm that rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    /// What it means, and what to do.
    pub description: String,
    /// Since when it rings.
    pub since: Option<Timestamp>,
}

/// Why the alarms' state is unknown. The text holds no secret.
#[derive(Debug, Error)]
pub enum AlarmsError {
    #[error("CloudWatch answered {status} to DescribeAlarms")]
    Refused { status: u16 },
    #[error("CloudWatch is unavailable: {0}")]
    Unavailable(String),
    #[error("CloudWatch's answer can't be read")]
    Unreadable,
    /// The function has no credentials to sign with.
    #[error("CloudWatch was not asked: {0}")]
    Unsigned(String),
}

/// Where the deployment's alarms are.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// Those that ring. The first hundred.
    async fn ringing(&self) -> Result<Vec<Alarm>, AlarmsError>;
}

/// The alarms whose names begin alike.
pub struct CloudWatch {
    pub transport: Arc<dyn Transport>,
    pub credentials: SharedCredentialsProvider,
    /// `https://monitoring.eu-north-1.amazonaws.com`, or a stand-in; no trailing slash.
    pub endpoint: String,
    pub region: String,
    pub prefix: String,
}

impl CloudWatch {
    /// AWS's own endpoint in a region.
    pub fn endpoint_in(region: &str) -> String {
        let suffix = if region.starts_with("cn-") { ".com.cn" } else { ".com" };
        format!("https://monitoring.{region}.amazonaws{suffix}")
    }

    fn request(&self) -> Result<http::Request<Bytes>, http::Error> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "DescribeAlarms")
            .append_pair("Version", "2010-08-01")
            .append_pair("AlarmNamePrefix", &self.prefix)
            .append_pair("StateValue", "ALARM")
            .append_pair("MaxRecords", "100")
            .finish();
        let url = Url::parse(&self.endpoint).ok();
        let host =
            url.as_ref().map(|url| &url[url::Position::BeforeHost..url::Position::AfterPort]);
        http::Request::post(format!("{}/", self.endpoint))
            .header(HOST, host.unwrap_or_default())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(form))
    }
}

#[async_trait]
impl Alarms for CloudWatch {
    async fn ringing(&self) -> Result<Vec<Alarm>, AlarmsError> {
        let unsigned = |error: &dyn std::error::Error| AlarmsError::Unsigned(error.to_string());
        let mut request = self.request().map_err(|error| unsigned(&error))?;
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| unsigned(&error))?;
        sign_request(&mut request, &credentials, &self.region, "monitoring")
            .map_err(|error| unsigned(&error))?;
        let answer = self.transport.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| AlarmsError::Unavailable(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => read(answer.body()).ok_or(AlarmsError::Unreadable),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(AlarmsError::Unavailable(status.as_u16().to_string()))
            }
            status => Err(AlarmsError::Refused { status: status.as_u16() }),
        }
    }
}

fn read(body: &[u8]) -> Option<Vec<Alarm>> {
    let mut document = Document::new(std::str::from_utf8(body).ok()?);
    let mut root = document.root_element().ok()?;
    if !root.start_el().matches("DescribeAlarmsResponse") {
        return None;
    }
    let mut alarms = Vec::new();
    collect(&mut root, &mut alarms).ok()?;
    Some(alarms)
}

/// Metric alarms and composite ones are lists of `member`.
fn collect(
    element: &mut ScopedDecoder<'_, '_>,
    alarms: &mut Vec<Alarm>,
) -> Result<(), XmlDecodeError> {
    while let Some(mut child) = element.next_tag() {
        match child.start_el().local() {
            "DescribeAlarmsResult" => collect(&mut child, alarms)?,
            "MetricAlarms" | "CompositeAlarms" => {
                while let Some(mut member) = child.next_tag() {
                    alarms.push(alarm(&mut member)?);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn alarm(member: &mut ScopedDecoder<'_, '_>) -> Result<Alarm, XmlDecodeError> {
    let mut alarm = Alarm::default();
    while let Some(mut field) = member.next_tag() {
        match field.start_el().local() {
            "AlarmName" => alarm.name = try_data(&mut field)?.into_owned(),
            "AlarmDescription" => alarm.description = try_data(&mut field)?.into_owned(),
            "StateTransitionedTimestamp" => alarm.since = try_data(&mut field)?.parse().ok(),
            _ => {}
        }
    }
    Ok(alarm)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_credential_types::Credentials;

    use super::*;
    use crate::host::http_client::SendError;

    const ANSWER: &str = r#"<DescribeAlarmsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">
        <DescribeAlarmsResult>
          <CompositeAlarms/>
          <MetricAlarms>
            <member>
              <AlarmName>saas-WebhookFailing-1A2B</AlarmName>
              <AlarmDescription>The webhook answers 5xx &amp; more</AlarmDescription>
              <Dimensions><member><Name>service</Name><Value>webhook</Value></member></Dimensions>
              <StateUpdatedTimestamp>2026-03-10T12:07:00.000Z</StateUpdatedTimestamp>
              <StateTransitionedTimestamp>2026-03-10T12:00:00.000Z</StateTransitionedTimestamp>
            </member>
            <member><AlarmName>saas-EventsParked-3C4D</AlarmName></member>
          </MetricAlarms>
        </DescribeAlarmsResult>
        <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
      </DescribeAlarmsResponse>"#;

    /// Keeps the requests, and gives each the same answer.
    #[derive(Debug)]
    struct Recorder {
        requests: Mutex<Vec<http::Request<Bytes>>>,
        answer: (u16, &'static str),
    }

    #[async_trait]
    impl Transport for Recorder {
        async fn send(
            &self,
            request: http::Request<Bytes>,
            _: Duration,
        ) -> Result<http::Response<Bytes>, SendError> {
            self.requests.lock().expect("no test panics with it").push(request);
            let (status, body) = self.answer;
            let mut answer = http::Response::new(Bytes::from_static(body.as_bytes()));
            *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
            Ok(answer)
        }
    }

    fn answering(status: u16, body: &'static str) -> (Arc<Recorder>, CloudWatch) {
        let answer = (status, body);
        let recorder = Arc::new(Recorder { requests: Mutex::default(), answer });
        let credentials = Credentials::new("id", "key", None, None, "test");
        let alarms = CloudWatch {
            transport: recorder.clone(),
            credentials: SharedCredentialsProvider::new(credentials),
            endpoint: CloudWatch::endpoint_in("eu-north-1"),
            region: "eu-north-1".to_owned(),
            prefix: "saas-".to_owned(),
        };
        (recorder, alarms)
    }

    #[tokio::test]
    async fn the_alarms_that_ring_are_asked_for_by_a_signed_call() {
        let (recorder, alarms) = answering(200, ANSWER);
        let ringing = alarms.ringing().await.expect("they are known");
        let failing = Alarm {
            name: "saas-WebhookFailing-1A2B".to_owned(),
            description: "The webhook answers 5xx & more".to_owned(),
            since: Some("2026-03-10T12:00:00Z".parse().expect("a time")),
        };
        let parked = Alarm { name: "saas-EventsParked-3C4D".to_owned(), ..Alarm::default() };
        assert_eq!(ringing, [failing, parked]);
        let requests = recorder.requests.lock().expect("no test panics with it");
        let request = &requests[0];
        assert_eq!(request.uri(), "https://monitoring.eu-north-1.amazonaws.com/");
        assert_eq!(request.headers()[HOST], "monitoring.eu-north-1.amazonaws.com");
        let signature = request.headers()["authorization"].to_str().expect("text");
        assert!(signature.contains("/eu-north-1/monitoring/aws4_request"), "{signature}");
        let form = std::str::from_utf8(request.body()).expect("text");
        let expected = "Action=DescribeAlarms&Version=2010-08-01&AlarmNamePrefix=saas-&StateValue=ALARM&MaxRecords=100";
        assert_eq!(form, expected);
    }

    #[tokio::test]
    async fn an_answer_without_alarms_is_no_answer_of_none() {
        for (status, body, says) in [
            (403, "<ErrorResponse/>", "answered 403"),
            (503, "", "unavailable"),
            (429, "", "unavailable"),
            (200, "<html></html>", "can't be read"),
            (200, "", "can't be read"),
        ] {
            let error = answering(status, body).1.ringing().await.expect_err("no alarms");
            assert!(error.to_string().contains(says), "{error}");
        }
        let none = "<DescribeAlarmsResponse><DescribeAlarmsResult/></DescribeAlarmsResponse>";
        assert_eq!(answering(200, none).1.ringing().await.expect("they are known"), []);
    }
}
