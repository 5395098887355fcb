//! Any bytes are a file of tensors or a named error, and what is read lies inside of the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use models::safetensors::TensorFile;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = TensorFile::parse("fuzz", bytes) else { return };
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    for name in names {
        let view = file.find(&name).expect("it was just named");
        let count: usize = view.shape.iter().product();
        assert_eq!(view.bytes.len(), count * view.dtype.bytes());
        let shape = view.shape.to_vec();
        if let Ok(values) = file.floats(&name, &shape) {
            assert!(values.len() == count && values.iter().all(|x| x.is_finite()));
        }
    }
});
