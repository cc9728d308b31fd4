//! What the camera says about itself: USB 2.0 and UVC 1.1 descriptors, and its one set of stream
//! parameters.

pub const WIDTH: u16 = 320;
pub const HEIGHT: u16 = 240;

/// Most bytes of one transfer of the stream.
pub const PAYLOAD: usize = 16 * 1024;
/// Most bytes of one frame.
const FRAME: u32 = 64 * 1024;
/// 30 frames a second, in units of 100 ns.
const INTERVAL: u32 = 333_333;
const CLOCK_HZ: u32 = 48_000_000;

/// A class that its interfaces say, made of several of them; two strings and a serial number.
pub fn device() -> Vec<u8> {
    let mut bytes = vec![18, 1, 0x00, 0x02, 0xEF, 2, 1, 64];
    // Vendor, product, release; strings 1 to 3; one configuration.
    bytes.extend([0x09, 0x12, 0x01, 0x00, 0x00, 0x01, 1, 2, 3, 1]);
    bytes
}

pub fn string(number: u8) -> Vec<u8> {
    let text = match number {
        // The languages: American English.
        0 => return vec![4, 3, 0x09, 0x04],
        1 => "Andon",
        2 => "Webcam of the tests",
        _ => "0001",
    };
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&[text.len() as u8 + 2, 3], text.as_slice()].concat()
}

/// One frame of the only format.
fn frame() -> Vec<u8> {
    let mut bytes = vec![30, 0x24, 7, 1, 0];
    bytes.extend(WIDTH.to_le_bytes());
    bytes.extend(HEIGHT.to_le_bytes());
    let bits = FRAME * 8;
    for value in [bits, bits * 30, FRAME, INTERVAL] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.push(1);
    bytes.extend(INTERVAL.to_le_bytes());
    bytes
}

/// A control interface with a sensor and an output, and a streaming interface with one endpoint.
pub fn configuration() -> Vec<u8> {
    let sensor = [
        18, 0x24, 2, 1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0,
    ];
    let output = [9, 0x24, 3, 2, 0x01, 0x01, 0, 1, 0];
    let mut control = vec![13, 0x24, 1, 0x10, 0x01];
    let length = 13 + sensor.len() + output.len();
    control.extend((length as u16).to_le_bytes());
    control.extend(CLOCK_HZ.to_le_bytes());
    control.extend([1, 1]);

    let mjpg = [11, 0x24, 6, 1, 1, 1, 1, 0, 0, 0, 0];
    let frame = frame();
    let mut input = vec![14, 0x24, 1, 1];
    let length = input.len() + 10 + mjpg.len() + frame.len();
    input.extend((length as u16).to_le_bytes());
    input.extend([0x81, 0, 2, 0, 0, 0, 1, 0]);

    let body = [
        // Both interfaces are one camera.
        [8, 11, 0, 2, 0x0E, 3, 0, 2].as_slice(),
        &[9, 4, 0, 0, 0, 0x0E, 1, 0, 2],
        &control,
        &sensor,
        &output,
        &[9, 4, 1, 0, 1, 0x0E, 2, 0, 2],
        &input,
        &mjpg,
        &frame,
        // Bulk, in, 512 bytes a packet.
        &[7, 5, 0x81, 2, 0x00, 0x02, 0],
    ]
    .concat();
    let length = (body.len() as u16 + 9).to_le_bytes();
    [
        [9, 2, length[0], length[1], 2, 1, 0, 0x80, 250].as_slice(),
        &body,
    ]
    .concat()
}

/// The stream's parameters, of which there is only one set.
pub fn probe() -> Vec<u8> {
    let mut bytes = vec![0; 34];
    bytes[..4].copy_from_slice(&[1, 0, 1, 1]);
    bytes[4..8].copy_from_slice(&INTERVAL.to_le_bytes());
    bytes[18..22].copy_from_slice(&FRAME.to_le_bytes());
    bytes[22..26].copy_from_slice(&(PAYLOAD as u32).to_le_bytes());
    bytes[26..30].copy_from_slice(&CLOCK_HZ.to_le_bytes());
    bytes
}
