//! A small linear map after an encoder: projections and classifiers.

use crate::files::{ModelFiles, read_json, read_module_weights};
use crate::safetensors::TensorFile;
use base::Result;
use kernels::{Activation, Finish, Kind, Left, Level, Panels, Rows, gemm};

/// `activation(input · weightᵀ + bias)`, in f32: its share of the time is too small for less.
pub(crate) struct Dense {
    panels: Panels,
    bias: Vec<f32>,
    activation: Activation,
}

impl Dense {
    /// The tensors `name.weight` and, if there is one, `name.bias`; `outputs` times `inputs` values.
    pub fn load(
        file: &TensorFile<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
        activation: Activation,
        level: Level,
    ) -> Result<Dense> {
        let weight = file.floats(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = match file.find(&format!("{name}.bias")) {
            Some(_) => file.floats(&format!("{name}.bias"), &[outputs])?,
            None => Vec::new(),
        };
        let panels = Panels::pack(Rows::F32(&weight), outputs, inputs, Kind::F32, level);
        Ok(Dense { panels, bias, activation })
    }

    /// A `Dense` module of sentence-transformers in the folder `path` of a model.
    pub fn module(files: &ModelFiles, path: &str, inputs: usize, level: Level) -> Result<Dense> {
        let folder = files.folder.join(path);
        let json = read_json(&folder, "config.json")?.unwrap_or_default();
        let size = |name: &str| json[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let (told, outputs) = (size("in_features"), size("out_features"));
        if told != inputs || outputs == 0 || outputs > 65_536 {
            let what = format!("its module {path:?} maps {told} values to {outputs}, expected {inputs} to 1..65536");
            return Err(files.unsupported(what));
        }
        if json["use_residual"] == true {
            return Err(files.unsupported(format!("its module {path:?} adds its input to its output")));
        }
        let class = json["activation_function"].as_str().unwrap_or("torch.nn.modules.linear.Identity");
        let activation = match class.rsplit('.').next().unwrap_or_default() {
            "Identity" => Activation::None,
            "Tanh" => Activation::Tanh,
            "ReLU" => Activation::Relu,
            "GELU" => Activation::Gelu,
            other => return Err(files.unsupported(format!("its module {path:?} has the activation {other:?}"))),
        };
        let bytes = read_module_weights(&folder)?;
        let file = TensorFile::parse(&folder.join("model.safetensors").display().to_string(), &bytes)?;
        Dense::load(&file, "linear", outputs, inputs, activation, level)
    }

    /// Values of a result.
    pub fn outputs(&self) -> usize {
        self.panels.outputs()
    }

    /// Maps whole rows into whole rows of `out`.
    pub fn apply(&self, rows: &[f32], out: &mut [f32]) {
        let (k, n) = (self.panels.inputs(), self.panels.outputs());
        let finish = Finish { bias: &self.bias, activation: self.activation, add: false };
        gemm(Left::f32(rows, k), rows.len() / k, &self.panels, finish, out, n);
    }
}
