//! A Chromium of its own for one journey. Steps wait for their element and fail with the page's text.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::house::house;

/// How long a step may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a part of a page may be drawn anew under a click.
const REDRAWN: usize = 20;
/// How often a driver is started that finds its port taken.
const STARTS: usize = 5;

/// As what the browser looks at the house.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Desktop,
    Phone,
    PhoneWithoutScripts,
}

/// See the module's text.
pub struct Browser {
    client: Client,
    driver: Driver,
    _profile: tempfile::TempDir,
}

/// The driver's process; it ends with its browsers when the journey ends.
struct Driver {
    process: Child,
    address: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests/with-chromium says through the environment where the programs are"
)]
fn program(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

impl Driver {
    /// Starts on a free port, which the driver tells. Two that start at once may choose the same one; the later one then ends.
    fn start() -> Self {
        (0..STARTS)
            .find_map(|_| Self::try_start())
            .expect("the driver tells its port")
    }

    fn try_start() -> Option<Self> {
        let name = program("CHROMEDRIVER", "chromedriver");
        let mut process = Command::new(&name)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{name}: {e}; run through tests/with-chromium"));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = loop {
            let Some(line) = lines.next() else {
                // It has ended: only its last word is waited for.
                process.wait().unwrap();
                return None;
            };
            let line = line.unwrap();
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // What it says later is thrown away, so that a full pipe never holds it up.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            process,
            address: format!("http://127.0.0.1:{port}"),
        })
    }
}

impl Browser {
    pub async fn start(look: Look) -> Self {
        let driver = Driver::start();
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1280,900",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": program("CHROMIUM", "chromium"), "args": arguments},
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&driver.address)
            .await
            .unwrap();
        let browser = Self {
            client,
            driver,
            _profile: profile,
        };
        if look != Look::Desktop {
            browser.set_width(360).await;
        }
        if look == Look::PhoneWithoutScripts {
            browser
                .devtools("Emulation.setScriptExecutionDisabled", json!({"value": true}))
                .await;
        }
        browser
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
        drop(self.driver);
    }

    /// A command of the driver that is no part of the standard.
    async fn driver(&self, path: &str, body: &Value) -> Value {
        let session = self.client.session_id().await.unwrap().unwrap();
        let url = format!("{}/session/{session}/{path}", self.driver.address);
        let answer: Value = reqwest::Client::new()
            .post(url)
            .json(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["value"].clone()
    }

    /// Puts an authenticator into the machine that holds passkeys and finds that it is its owner who asks.
    pub async fn plug_in_authenticator(&self) {
        let kind = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true,
        });
        let made = self.driver("webauthn/authenticator", &kind).await;
        assert!(made.is_string(), "{made}");
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.driver("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
            .await;
    }

    pub async fn set_width(&self, width: u32) {
        let metrics = json!({"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": true});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Opens a path of the house, or a whole address.
    pub async fn open(&self, path: &str) {
        let address = if path.starts_with('/') {
            format!("{}{path}", house().address)
        } else {
            path.to_owned()
        };
        self.client.goto(&address).await.unwrap();
    }

    async fn find(&self, selector: &str) -> Element {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector))
            .await
            .unwrap_or_else(|e| panic!("{selector}: {e}"))
    }

    /// A part of the page that is drawn anew takes away what was found; the next one is the same.
    pub async fn click(&self, selector: &str) {
        for _ in 0..REDRAWN {
            let found = self.find(selector).await;
            // As a person does: what hides behind a bar at the edge is brought into sight first.
            let shown = self.client.execute(
                "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})",
                vec![serde_json::to_value(&found).unwrap()],
            );
            match shown.await.map(drop) {
                Ok(()) => {}
                Err(error) if error.is_stale_element_reference() => continue,
                Err(error) => panic!("{selector}: {error}"),
            }
            match found.click().await {
                Ok(()) => return,
                Err(error) if error.is_stale_element_reference() => {}
                Err(error) => panic!("{selector}: {error}"),
            }
        }
        panic!("{selector}: the page never stands still");
    }

    /// Clicks the first visible link whose text begins with this. On a phone the filters stand behind a button.
    pub async fn click_link(&self, text: &str) {
        let path = format!("//main//a[starts-with(normalize-space(.), '{text}')]");
        for _ in 0..REDRAWN {
            let wait = self.client.wait().at_most(PATIENCE);
            let link = wait
                .for_element(Locator::XPath(&path))
                .await
                .unwrap_or_else(|e| panic!("{text}: {e}"));
            let clicked = async {
                if !link.is_displayed().await? {
                    self.click(".facets-open").await;
                }
                link.click().await
            };
            match clicked.await {
                Ok(()) => return,
                Err(error) if error.is_stale_element_reference() => {}
                Err(error) => panic!("{text}: {error}"),
            }
        }
        panic!("{text}: the page never stands still");
    }

    pub async fn fill(&self, selector: &str, text: &str) {
        self.find(selector).await.send_keys(text).await.unwrap();
    }

    /// Writes over what stands in a control.
    pub async fn replace(&self, selector: &str, text: &str) {
        let control = self.find(selector).await;
        control.clear().await.unwrap();
        control.send_keys(text).await.unwrap();
    }

    /// Goes on with the tab key until something that fits has the focus.
    async fn tab_until(&self, what: &str, fits: &str) {
        for _ in 0..80 {
            self.press("\u{e004}").await;
            let script = format!("const e = document.activeElement; return Boolean({fits});");
            if self.client.execute(&script, vec![json!(what)]).await.unwrap() == json!(true) {
                return;
            }
        }
        panic!("no way to {what} by keyboard");
    }

    /// Goes on with the tab key to an element of this kind with this text.
    pub async fn tab_to(&self, kind: &str, text: &str) {
        let fits = format!("e.matches('{kind}') && e.textContent.trim() === arguments[0]");
        self.tab_until(text, &fits).await;
    }

    /// Goes on with the tab key to the element of this id.
    pub async fn tab_to_id(&self, id: &str) {
        self.tab_until(id, "e.id === arguments[0]").await;
    }

    /// Types into whatever has the focus.
    pub async fn press(&self, keys: &str) {
        self.client
            .active_element()
            .await
            .unwrap()
            .send_keys(keys)
            .await
            .unwrap();
    }

    pub async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.unwrap()
    }

    /// What a field holds.
    pub async fn value(&self, selector: &str) -> String {
        self.find(selector)
            .await
            .prop("value")
            .await
            .unwrap()
            .unwrap_or_default()
    }

    pub async fn title(&self) -> String {
        self.client.title().await.unwrap()
    }

    pub async fn count(&self, selector: &str) -> usize {
        self.client.find_all(Locator::Css(selector)).await.unwrap().len()
    }

    /// Waits until an element of the selector holds the text: a page after a click is another page.
    pub async fn wait_for_text(&self, selector: &str, text: &str) {
        let seen = async {
            loop {
                for element in self.client.find_all(Locator::Css(selector)).await.unwrap() {
                    // It may have gone with its page in between.
                    if element.text().await.is_ok_and(|found| found.contains(text)) {
                        return;
                    }
                }
            }
        };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            panic!(
                "no {selector} says {text:?}; the page says:\n{}",
                self.text("main").await
            );
        }
    }

    /// The id of what has the focus.
    pub async fn focused(&self) -> String {
        let element = self.client.active_element().await.unwrap();
        element.attr("id").await.unwrap().unwrap_or_default()
    }

    /// What a script in the page answers.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Rests the pointer above the middle of an element.
    pub async fn rest_on(&self, selector: &str) {
        let element = self.find(selector).await;
        let script = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        let shown = vec![serde_json::to_value(&element).unwrap()];
        self.client.execute(script, shown).await.unwrap();
        let rested = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveToElement {
            element,
            duration: None,
            x: 0.0,
            y: 0.0,
        });
        self.client.perform_actions(rested).await.unwrap();
    }

    /// Pulls the pointer over an element, from one place in it to another, each told by parts of its size.
    pub async fn pull(&self, selector: &str, from: (f64, f64), to: (f64, f64)) {
        let script = format!(
            "const e = document.querySelector('{selector}'); e.scrollIntoView({{block: 'center'}}); \
             const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height];"
        );
        let edge = self.script(&script).await;
        let side = |at: usize| edge[at].as_f64().unwrap();
        let go = |(x, y): (f64, f64)| PointerAction::MoveTo {
            duration: None,
            x: side(0) + x * side(2),
            y: side(1) + y * side(3),
        };
        let half = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let pulled = MouseActions::new("mouse".to_owned())
            .then(go(from))
            .then(PointerAction::Down {
                button: MOUSE_BUTTON_LEFT,
            })
            .then(go(half))
            .then(go(to))
            .then(PointerAction::Up {
                button: MOUSE_BUTTON_LEFT,
            });
        self.client.perform_actions(pulled).await.unwrap();
    }

    /// Keeps a picture of the window as `NAME.png` below the folder of test files, for whoever wants to see the day.
    pub async fn picture(&self, story: &str, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(story);
        std::fs::create_dir_all(&folder).unwrap();
        let shown = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(name).with_extension("png"), shown).unwrap();
    }

    /// How many pixels the page is wider than the window.
    pub async fn overflow(&self) -> i64 {
        let script = "const e = document.documentElement; return e.scrollWidth - e.clientWidth;";
        self.client.execute(script, vec![]).await.unwrap().as_i64().unwrap()
    }

    async fn complaints(&self) -> Vec<String> {
        let log = self.driver("se/log", &json!({"type": "browser"})).await;
        log.as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["message"].to_string())
            // The browser's own pages are not ours.
            .filter(|message| !message.starts_with("\"chrome://"))
            .collect()
    }

    /// Neither an error of a script nor anything that the content security policy has refused.
    pub async fn nothing_to_complain_about(&self) {
        assert_eq!(self.complaints().await, Vec::<String>::new());
    }

    pub async fn forget_complaints(&self) {
        self.complaints().await;
    }
}
