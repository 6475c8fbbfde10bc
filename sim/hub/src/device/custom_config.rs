//! GET_CUSTOM_CONFIG and its kin: the config of an Express, its defaults, and how it is described and changed.

use veschub_wire::{
    Reply, Request,
    command::{ConfigXml, CustomConfig, ExpressConfig},
};

use super::{answer::Answer, config_xml, script::print};
use crate::Silence;

/// The config that an Express has, or that it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configs {
    /// Whether it shows the config: FW_VERSION reports one, and 92 to 95 are answered.
    pub shown: bool,
    /// What it was made with.
    pub default: ExpressConfig,
    /// What it has now.
    pub now: ExpressConfig,
}

impl Configs {
    /// A config that nobody has changed.
    #[must_use]
    pub fn new(config: ExpressConfig, shown: bool) -> Self {
        Self {
            shown,
            default: config.clone(),
            now: config,
        }
    }

    /// Its CAN id.
    #[must_use]
    pub fn can_id(&self) -> u8 {
        // The id goes out as one byte.
        self.now.can_id as u8
    }

    /// The answer to one of the four commands, or why there is none.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        max_print: usize,
    ) -> Result<Answer, Silence> {
        if !self.shown {
            return Err(Silence::NoCustomConfig);
        }
        let index = match request {
            Request::GetCustomConfigXml(asked) => asked.index,
            Request::GetCustomConfig { index } | Request::GetCustomConfigDefault { index } => {
                *index
            }
            // Taken as the others take it: as a signed byte.
            Request::SetCustomConfig(config) => config.index as i8,
            _ => return Err(Silence::NotAboutConfig),
        };
        if index != 0 {
            return Err(Silence::NoSuchConfig);
        }
        let packed = |config: &ExpressConfig| CustomConfig {
            index: 0,
            signature: config_xml::signature(),
            data: config.pack(),
        };
        let reply = match request {
            Request::GetCustomConfigXml(asked) => {
                let Some(data) = config_xml::part(asked.length, asked.offset) else {
                    let size = config_xml::size();
                    return Err(Silence::NoSuchPart { size });
                };
                Reply::CustomConfigXml(ConfigXml {
                    index: 0,
                    total: config_xml::size() as i32,
                    offset: asked.offset,
                    data: data.to_vec(),
                })
            }
            Request::GetCustomConfigDefault { .. } => {
                Reply::CustomConfigDefault(packed(&self.default))
            }
            Request::SetCustomConfig(config) => return Ok(self.set(config, max_print)),
            _ => Reply::CustomConfig(packed(&self.now)),
        };
        Ok(reply.into())
    }

    /// Takes a new config; what is wrong with it is only printed (`EX main/commands.c:427-456`).
    fn set(&mut self, config: &CustomConfig, max_print: usize) -> Answer {
        let signature = config_xml::signature();
        if config.signature != signature {
            let warning = format!(
                "the config is not taken: its signature is {}, wanted {signature}",
                config.signature
            );
            return print(warning.as_bytes(), max_print);
        }
        let Some(fields) = config.express() else {
            return print(b"the config is not taken: its fields do not fit", max_print);
        };
        self.now = fields;
        Reply::CustomConfigSet.into()
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::{CommandId, command::ConfigXmlRequest};

    use super::*;

    fn configs() -> Configs {
        Configs::new(
            ExpressConfig {
                can_id: 2,
                ..ExpressConfig::default()
            },
            true,
        )
    }

    fn set(signature: u32, data: Vec<u8>) -> Request {
        Request::SetCustomConfig(CustomConfig {
            index: 0,
            signature,
            data,
        })
    }

    #[test]
    fn a_new_config_is_taken_and_the_default_stays() {
        let mut configs = configs();
        let new = ExpressConfig {
            can_id: 9,
            ..configs.now.clone()
        };
        let request = set(config_xml::signature(), new.pack());
        assert_eq!(configs.answer(&request, 400).unwrap().payload, [95]);
        assert_eq!((configs.can_id(), configs.default.can_id), (9, 2));
        let config = configs
            .answer(&Request::GetCustomConfig { index: 0 }, 400)
            .unwrap();
        assert_eq!(config.payload[6..], new.pack());
    }

    #[test]
    fn a_config_with_another_signature_or_that_does_not_fit_is_only_complained_about() {
        let mut configs = configs();
        let fits = configs.now.pack();
        for request in [set(1, fits), set(config_xml::signature(), vec![0; 5])] {
            let answer = configs.answer(&request, 400).unwrap();
            assert_eq!(answer.payload[0], CommandId::PRINT.0);
        }
        assert_eq!(configs.now, configs.default);
    }

    #[test]
    fn another_index_and_a_device_without_a_config_get_no_answer() {
        let mut configs = configs();
        let asked = |index| ConfigXmlRequest {
            index,
            length: 10,
            offset: 0,
        };
        assert!(
            configs
                .answer(&Request::GetCustomConfigXml(asked(0)), 400)
                .is_ok()
        );
        assert!(
            configs
                .answer(&Request::GetCustomConfigXml(asked(1)), 400)
                .is_err()
        );
        configs.shown = false;
        assert!(
            configs
                .answer(&Request::GetCustomConfig { index: 0 }, 400)
                .is_err()
        );
    }
}
